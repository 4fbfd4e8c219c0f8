// Rows in maps under one journal, so that a refused operation leaves nothing behind, as on the chain.
import { code } from "../mesh.mjs";

/** Largest integer of the protocol. */
export const INT_MAX = 2n ** 63n - 1n;

/** What a contract answers instead of doing something. */
class Refusal {
  constructor(number) {
    this.number = number;
  }
}

const numbers = new Map();

/** The checks of one contract: need(what must hold, "NAME"), else the error of that name. */
export function needs(contract, prefix = "ERR") {
  return (holds, name) => {
    if (holds) return;
    const path = `${contract}/${prefix}-${name}`;
    if (!numbers.has(path)) numbers.set(path, code(path));
    throw new Refusal(numbers.get(path));
  };
}

class Table {
  constructor(name, journal) {
    Object.assign(this, { name, journal, rows: new Map() });
  }

  get(key) {
    return this.rows.get(key);
  }

  has(key) {
    return this.rows.has(key);
  }

  /** Put a whole row; rows are never changed in place. */
  set(key, row) {
    this.journal.push([this, key, this.rows.get(key)]);
    this.rows.set(key, row);
  }

  remove(key) {
    this.set(key, undefined);
    this.rows.delete(key);
  }

  merge(key, change) {
    this.set(key, { ...this.get(key), ...change });
  }

  /** Add to a number, or to the named numbers of a row. */
  add(key, more) {
    const add = (row) => Object.entries(more).map(([name, by]) => [name, (row[name] ?? 0n) + by]);
    if (typeof more === "bigint") this.set(key, (this.get(key) ?? 0n) + more);
    else this.merge(key, Object.fromEntries(add(this.get(key) ?? {})));
  }
}

export class Store {
  constructor(tables) {
    this.journal = [];
    for (const name of tables) this[name] = new Table(name, this.journal);
  }

  /** The code of `work`: 0n when it was done, else its refusal, and then nothing changed. */
  attempt(work) {
    const mark = this.journal.length;
    try {
      work();
      return 0n;
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      this.undo(mark);
      return refusal.number;
    }
  }

  /** The code that `work` would get, without doing it. */
  ask(work) {
    const mark = this.journal.length;
    const outcome = this.attempt(work);
    this.undo(mark);
    return outcome;
  }

  undo(mark) {
    while (this.journal.length > mark) {
      const [table, key, before] = this.journal.pop();
      if (before === undefined) table.rows.delete(key);
      else table.rows.set(key, before);
    }
  }

  /** The rows changed since this was asked last, as [table, key] pairs, each once. */
  changed() {
    const seen = new Map(this.journal.map(([table, key]) => [`${table.name} ${key}`, [table, key]]));
    this.journal.length = 0;
    return [...seen.values()];
  }
}
