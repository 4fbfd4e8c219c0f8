// Chance that can be repeated: the same seed gives the same choices.

/** A generator of 32-bit numbers (mulberry32) with the few choices that tests make. */
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  below(limit) {
    return this.next() % limit;
  }

  pick(choices) {
    return choices[this.below(choices.length)];
  }

  shuffled(list) {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }
}

/** The long form of a property test runs so many times as many seeds. */
export const CAMPAIGN = process.env.HUBD_CAMPAIGN ? 20 : 1;
