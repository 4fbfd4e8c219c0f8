/**
 * Does a Clarity value fit a type of a contract's interface? As stacks-core checks arguments at admission
 * (`check_args_by_allowing_trait_cast`): sizes count at every depth. The VM itself does not look: measured, it ran a
 * call whose list element held a buffer longer than its type, which a node never lets in.
 */

const MIN_INT = -(2n ** 127n);
const MAX_INT = 2n ** 127n - 1n;
const MAX_UINT = 2n ** 128n - 1n;

/** A value that does not fit, in words: where, and what was expected. */
export class TypeMismatch extends Error {}

const mismatch = (where, expected, value) => {
  throw new TypeMismatch(`${where}: expected ${expected}, got ${value.type}`);
};

const within = (where, what, length, max) => {
  if (length > max) throw new TypeMismatch(`${where}: ${what} of length ${length}, at most ${max}`);
};

/** Types that the interface names by a word. */
const PLAIN = {
  uint128: (value, where) => {
    if (value.type !== "uint" || BigInt(value.value) > MAX_UINT) mismatch(where, "uint", value);
  },
  int128: (value, where) => {
    const fits = value.type === "int" && BigInt(value.value) >= MIN_INT && BigInt(value.value) <= MAX_INT;
    if (!fits) mismatch(where, "int", value);
  },
  bool: (value, where) => {
    if (value.type !== "true" && value.type !== "false") mismatch(where, "bool", value);
  },
  principal: (value, where) => {
    if (value.type !== "address" && value.type !== "contract") mismatch(where, "principal", value);
  },
  none: (value, where) => {
    if (value.type !== "none") mismatch(where, "none", value);
  },
  trait_reference: (value, where, contractExists) => {
    if (value.type !== "contract") mismatch(where, "a contract that implements the trait", value);
    if (!contractExists(value.value)) throw new TypeMismatch(`${where}: no such contract ${value.value}`);
  },
};

/** Types that the interface describes by an object of one key. */
const COMPOSED = {
  buffer: ({ length }, value, where) => {
    if (value.type !== "buffer") mismatch(where, "buffer", value);
    within(where, "buffer", value.value.length / 2, length);
  },
  "string-ascii": ({ length }, value, where) => {
    if (value.type !== "ascii") mismatch(where, "string-ascii", value);
    within(where, "string", value.value.length, length);
  },
  "string-utf8": ({ length }, value, where) => {
    if (value.type !== "utf8") mismatch(where, "string-utf8", value);
    within(where, "string", [...value.value].length, length);
  },
  optional: (type, value, where, exists) => {
    if (value.type === "none") return;
    if (value.type !== "some") mismatch(where, "optional", value);
    checkValue(type, value.value, where, exists);
  },
  response: (type, value, where, exists) => {
    if (value.type !== "ok" && value.type !== "err") mismatch(where, "response", value);
    checkValue(value.type === "ok" ? type.ok : type.error, value.value, where, exists);
  },
  list: ({ type, length }, value, where, exists) => {
    if (value.type !== "list") mismatch(where, "list", value);
    within(where, "list", value.value.length, length);
    value.value.forEach((element, index) => checkValue(type, element, `${where}, element ${index}`, exists));
  },
  tuple: (fields, value, where, exists) => {
    if (value.type !== "tuple") mismatch(where, "tuple", value);
    if (Object.keys(value.value).length !== fields.length) mismatch(where, `tuple of ${fields.length} fields`, value);
    for (const { name, type } of fields) {
      if (!Object.hasOwn(value.value, name)) throw new TypeMismatch(`${where}: field ${name} is missing`);
      checkValue(type, value.value[name], `${where}, field ${name}`, exists);
    }
  },
};

function checkValue(type, value, where, contractExists) {
  if (typeof type === "string") return PLAIN[type](value, where, contractExists);
  const [[name, detail]] = Object.entries(type);
  return COMPOSED[name](detail, value, where, contractExists);
}

/**
 * Checks the arguments of a call against the function's interface.
 * @param {{name: string, type: object}[]} declared the interface's `args`
 * @param {object[]} given Clarity values of the reference library
 * @param {(contract: string) => boolean} contractExists
 * @throws {TypeMismatch}
 */
export function checkArguments(declared, given, contractExists) {
  if (declared.length !== given.length) {
    throw new TypeMismatch(`expected ${declared.length} arguments, got ${given.length}`);
  }
  declared.forEach(({ name, type }, index) => checkValue(type, given[index], `argument ${name}`, contractExists));
}
