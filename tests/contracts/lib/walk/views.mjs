// How the chain is asked for a row of the model.
import { maybe } from "../values.mjs";

const ask = (contract, method) => (mesh, key) => mesh.read(contract, method, [key]);
const askPair = (contract, method) => (mesh, pair) => mesh.read(contract, method, pair.split(" "));
const assetOf = (text) => (text === "null" ? null : text);

export const VIEWS = {
  counts: (mesh, contract) => mesh.read(contract, "get-counts"),
  persons: ask("user-registry", "get-person"),
  keys: ask("user-registry", "get-key"),
  adds: ask("user-registry", "get-pending-key"),
  circles: ask("recovery", "get-guardian-change"),
  recoveries: ask("recovery", "get-recovery"),
  wallets: (mesh, place) => mesh.wallet(place.split(" ")[0], assetOf(place.split(" ")[1])),
  volumes: (mesh, asset) => mesh.read("payment-escrow", "get-volume", [maybe(asset)]),
  locks: ask("payment-escrow", "get-lock"),
  earmarks: ask("payment-escrow", "get-earmark"),
  pools: ask("sponsor-pool", "get-pool"),
  poolTutors: askPair("sponsor-pool", "is-tutor"),
  paid: (mesh, place) => {
    const [pool, person, week, asTutor] = place.split(" ");
    return mesh.read("sponsor-pool", "get-paid", [pool, person, BigInt(week), asTutor === "true"]);
  },
  lessons: ask("session-manager", "get-lesson"),
  attendances: ask("session-manager", "get-attendance"),
  moves: ask("session-manager", "get-move"),
  classes: ask("class-manager", "get-class"),
  presences: askPair("class-manager", "get-attended"),
  ratings: askPair("reputation-tracker", "get-rating"),
  pairs: (mesh, place) => {
    const [rater, rated, ofTutor] = place.split(" ");
    return mesh.read("reputation-tracker", "get-pair", [rater, rated, ofTutor === "true"]);
  },
  totals: ask("reputation-tracker", "get-totals"),
  offers: (mesh, place) => {
    const [tutor, asset] = place.split(" ");
    return mesh.read("tutor-profile", "get-offer", [tutor, maybe(assetOf(asset))]);
  },
  offerKeys: ask("tutor-profile", "get-offer-key"),
  requests: ask("student-request", "get-request"),
  matches: ask("matching-engine", "get-match"),
  seats: ask("panel", "get-seat"),
  enrolled: ask("panel", "is-enrolled"),
  disputes: ask("dispute-resolution", "get-dispute"),
  disputeOffers: ask("dispute-resolution", "get-offer"),
  votes: askPair("dispute-resolution", "get-vote"),
  spent: ask("action-gateway", "is-spent"),
};
