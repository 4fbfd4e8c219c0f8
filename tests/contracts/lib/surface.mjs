// Every public function of a mesh as its interface tells it, and a contract that calls them in somebody's name.
import { Cl } from "@stacks/transactions";
import { deployment } from "./mesh.mjs";
import { ZEROS } from "./values.mjs";

/** The tuples of a batch have tests of their own. */
const isPlain = ({ args }) => !args.some(({ type }) => type.list || type.tuple);

/** { contract, name, args: [{ name, type }] } of each public function, deployed ones first. */
export function publicFunctions(mesh) {
  const interfaces = mesh.vm.getContractsInterfaces();
  return deployment.order.flatMap((contract) =>
    (interfaces.get(`${mesh.deployer}.${contract}`)?.functions ?? [])
      .filter((one) => one.access === "public" && isPlain(one))
      .map(({ name, args }) => ({ contract, name, args })));
}

/** A value of a type: `choose(kind)` gives the numbers, ids, principals and truths. */
export function valueOf(type, choose) {
  if (type === "uint128") return Cl.uint(choose("uint"));
  if (type === "bool") return Cl.bool(choose("bool"));
  if (type === "principal") return Cl.principal(choose("principal"));
  if (type === "trait_reference") return Cl.principal(choose("token"));
  if (type.buffer) return Cl.bufferFromHex(type.buffer.length === 32 ? choose("id") : ZEROS.slice(0, 2));
  if (type["string-ascii"]) return Cl.stringAscii("x");
  const inner = choose("some") ? valueOf(type.optional, choose) : null;
  return inner === null ? Cl.none() : Cl.some(inner);
}

const clarity = (type) => {
  if (type === "uint128") return "uint";
  if (typeof type === "string") return type;
  if (type.buffer) return `(buff ${type.buffer.length})`;
  if (type["string-ascii"]) return `(string-ascii ${type["string-ascii"].length})`;
  return `(optional ${clarity(type.optional)})`;
};

/** Source of a contract that passes each call on, so that it, not who signed, is the caller. */
export function lure(functions) {
  const one = ({ contract, name, args }) => {
    const taken = args.filter(({ type }) => type !== "trait_reference");
    const given = args.map(({ name: arg, type }) => (type === "trait_reference" ? ".hour-credit" : arg));
    const head = taken.map(({ name: arg, type }) => `(${arg} ${clarity(type)})`).join(" ");
    return `(define-public (${contract}--${name} ${head})
      (match (contract-call? .${contract} ${[name, ...given].join(" ")}) done (ok true) code (err code)))`;
  };
  return functions.map(one).join("\n");
}
