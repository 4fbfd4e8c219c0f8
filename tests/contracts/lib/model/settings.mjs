// What the mesh's owner sets, as `access` keeps it.
import { needs } from "./store.mjs";

const need = needs("access");

/** The parameters in force. */
export const settings = (w) => w.settings.get("all");

export function checkDeposit(w, asset) {
  const entry = w.assets.get(asset);
  need(entry !== undefined, "ASSET-CLOSED");
  need(!settings(w)["deposits-paused"], "DEPOSITS-PAUSED");
  need(entry.open, "ASSET-CLOSED");
}

/** What a mesh is deployed with. */
export function bootSettings(w) {
  const { deployer, hours } = w.mesh;
  w.settings.set("all", {
    owner: deployer, "deposits-paused": false, "grace-seconds": 3_888_000n, "relay-fee-bps": 0n,
    "relay-fee-to": deployer, "notice-seconds": 86_400n, "notice-late-bps": 0n, "dispute-bond-bps": 500n,
  });
  for (const asset of [null, hours]) w.assets.set(asset, { open: true });
}

const owner = (method, args, set) => ({
  wallet: true,
  direct: (f) => ["access", method, args(f)],
  does: (w, key, id, f) => {
    need(settings(w).owner === key, "NOT-OWNER");
    w.settings.merge("all", set(w, f));
  },
});

const DAY = 86_400n;

export const operations = {
  "set-grace": owner("set-grace", (f) => [f.seconds], (w, { seconds }) => {
    need(seconds >= 30n * DAY && seconds <= 365n * DAY, "PARAMETER");
    return { "grace-seconds": seconds };
  }),
  "set-notice": owner("set-notice", (f) => [f.seconds, f.bps], (w, { seconds, bps }) => {
    need(seconds <= 30n * DAY && bps <= 5000n, "PARAMETER");
    return { "notice-seconds": seconds, "notice-late-bps": bps };
  }),
  "set-dispute-bond": owner("set-dispute-bond", (f) => [f.bps], (w, { bps }) => {
    need(bps <= 2000n, "PARAMETER");
    return { "dispute-bond-bps": bps };
  }),
  "set-relay-fee": owner("set-relay-fee", (f) => [f.bps, f.who], (w, { bps, who }) => {
    need(bps <= 500n, "PARAMETER");
    return { "relay-fee-bps": bps, "relay-fee-to": who };
  }),
  "resume-deposits": owner("resume-deposits", () => [], () => ({ "deposits-paused": false })),
  "pause-deposits": {
    wallet: true,
    direct: () => ["access", "pause-deposits", []],
    does: (w, key) => {
      need(settings(w).owner === key || w.stewards.has(key), "NOT-STEWARD");
      w.settings.merge("all", { "deposits-paused": true });
    },
  },
};
