// Automerge on the work of `bench/fill.py`: a replica with COUNT documents of BYTES bytes each fills an empty one.
//
// Every document is a change of its own, as every action is signed on its own. Prints one line of JSON: CPU seconds of
// both sides together, bytes of the sync messages, round trips, and the highest memory of the process in MB.

import { createHash } from "node:crypto";
import process from "node:process";
import * as Automerge from "@automerge/automerge";

const [count, bytes] = process.argv.slice(2).map(Number);

// Half text that packs well, half digits that do not: what ids, keys and signatures among words are like.
function body(number) {
  let noise = "";
  for (let part = 0; noise.length < bytes / 2; part += 1) {
    noise += createHash("sha256").update(`${number}.${part}`).digest("base64");
  }
  return (noise.slice(0, bytes / 2) + "lesson-book price hours tutor ".repeat(bytes)).slice(0, bytes);
}

let full = Automerge.init();
for (let number = 0; number < count; number += 1) {
  full = Automerge.change(full, (draft) => {
    draft[`document-${number}`] = body(number);
  });
}
full = Automerge.load(Automerge.save(full)); // as it would be after a start
let empty = Automerge.init();

const started = process.cpuUsage();
let [fullState, emptyState] = [Automerge.initSyncState(), Automerge.initSyncState()];
let [wire, messages] = [0, 0];
for (let quiet = false; !quiet; ) {
  quiet = true;
  let message;
  [emptyState, message] = Automerge.generateSyncMessage(empty, emptyState);
  if (message !== null) {
    [quiet, wire, messages] = [false, wire + message.length, messages + 1];
    [full, fullState] = Automerge.receiveSyncMessage(full, fullState, message);
  }
  [fullState, message] = Automerge.generateSyncMessage(full, fullState);
  if (message !== null) {
    [quiet, wire, messages] = [false, wire + message.length, messages + 1];
    [empty, emptyState] = Automerge.receiveSyncMessage(empty, emptyState, message);
  }
}
const { user, system } = process.cpuUsage(started);
if (Object.keys(empty).length !== count) throw new Error("the empty replica was not filled");

let again = 0; // nothing new: what two equal replicas say to each other after a reconnection
let [one, other] = [Automerge.initSyncState(), Automerge.initSyncState()];
for (let quiet = false; !quiet; ) {
  quiet = true;
  let message;
  [one, message] = Automerge.generateSyncMessage(empty, one);
  if (message !== null) {
    [quiet, again] = [false, again + message.length];
    [full, other] = Automerge.receiveSyncMessage(full, other, message);
  }
  [other, message] = Automerge.generateSyncMessage(full, other);
  if (message !== null) {
    [quiet, again] = [false, again + message.length];
    [empty, one] = Automerge.receiveSyncMessage(empty, one, message);
  }
}
console.log(
  JSON.stringify({
    cpu_s: (user + system) / 1e6,
    wire_bytes: wire,
    messages,
    equal_bytes: again,
    rss_mb: process.resourceUsage().maxRSS / 1024,
  }),
);
