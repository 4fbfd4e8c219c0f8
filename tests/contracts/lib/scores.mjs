// Scores of many pairs by the contract: reads JSON { request, offer, stars, ratings } a line, integers as text, and
// writes one score a line.
import { readFileSync } from "node:fs";
import { Cl } from "@stacks/transactions";
import { bootMesh } from "./mesh.mjs";
import { maybe } from "./values.mjs";

const mesh = await bootMesh();
const side = ({ asset, ...numbers }) => Cl.tuple({
  asset: maybe(asset ? mesh.hours : null),
  ...Object.fromEntries(Object.entries(numbers).map(([name, text]) => [name, Cl.uint(text)])),
});
for (const line of readFileSync(0, "utf8").trim().split("\n")) {
  const { request, offer, stars, ratings } = JSON.parse(line);
  const score = mesh.read("matching-engine", "score-of",
    [side(request), side(offer), BigInt(stars), BigInt(ratings)]);
  console.log(String(score));
}
