/**
 * HTTP in front of the chain: reads a request within its limits, finds its route, injects faults, answers. Whatever the
 * bytes are, the answer is a status and the process goes on.
 */

import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { Rejection } from "./admission.mjs";
import { BODY_BYTES_MAX, CONNECTIONS_MAX, REQUEST_MS_MAX } from "./limits.mjs";
import { NODE_ROUTES, json, rejected, text } from "./rpc.mjs";
import { TEST_ROUTES } from "./test-rpc.mjs";
import { DecodeError } from "./transaction.mjs";

const HOST = "127.0.0.1";
/** An answer that is none: the connection is closed. */
const NO_ANSWER = Symbol("no answer");

class BodyTooLarge extends Error {}

/**
 * Serves a chain on the loopback interface.
 * @param {{chain: Chain, clock: Clock, faults: Faults, turns: Turns}} parts chain and clock by the time of a turn
 * @param {{port: number, test: boolean}} options port 0 takes any
 * @returns {Promise<http.Server>} listening
 */
export async function serve(parts, { port, test }) {
  const routes = (test ? [...NODE_ROUTES, ...TEST_ROUTES] : NODE_ROUTES).map(compile);
  const server = http.createServer(async (request, response) => {
    const answer = await answerTo(parts, routes, request).catch(answerToError);
    if (answer === NO_ANSWER) request.socket.destroy();
    else send(response, answer);
  });
  server.requestTimeout = REQUEST_MS_MAX;
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, resolve);
  });
  return server;
}

/** One at a time touches the chain, requests and blocks alike: a fork takes a while and nobody may see half of it. */
export class Turns {
  #last = Promise.resolve();

  take(work) {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function compile([method, path, answer]) {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  return { method, pattern: new RegExp(`^${path.replace(/:\w+/g, "([^/]+)")}$`), names, answer };
}

async function answerTo(parts, routes, request) {
  const url = new URL(request.url, `http://${HOST}`);
  const body = await readBody(request);
  const path = decodeURIComponent(url.pathname);
  const fault = path.startsWith("/test/") ? undefined : parts.faults.take(request.method, path);
  if (fault?.do === "close") return NO_ANSWER;
  if (fault?.do === "reject") return rejected(new Rejection(fault.reason, fault.reason_data));
  if (fault?.do === "status") return { ...text("fault injected", fault.status), retryAfter: fault.retry_after };
  if (fault?.do === "delay") await sleep(fault.ms);
  const route = routes.find(({ method, pattern }) => method === request.method && pattern.test(path));
  if (!route) return text("Not Found", 404);
  const [, ...values] = route.pattern.exec(path);
  const params = Object.fromEntries(route.names.map((name, i) => [name, values[i]]));
  const contentType = (request.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  const now = Math.floor(Date.now() / 1000);
  const answer = await parts.turns.take(() =>
    route.answer({ ...parts, params, query: url.searchParams, body, contentType, now }),
  );
  return fault?.do === "lose" ? NO_ANSWER : answer;
}

async function readBody(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > BODY_BYTES_MAX) throw new BodyTooLarge();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** What is left when a route threw: bad input is the sender's fault, anything else is ours. */
function answerToError(error) {
  if (error instanceof DecodeError) return text(error.message, 400);
  if (error instanceof URIError || error?.code === "ERR_INVALID_URL") return text("Bad Request", 400);
  if (error instanceof BodyTooLarge) return text(`the body is longer than ${BODY_BYTES_MAX} bytes`, 413);
  console.error(error);
  return json({ error: String(error?.message ?? error) }, 500);
}

function send(response, { status, body, text: plain, retryAfter }) {
  const type = plain === undefined ? "application/json" : "text/plain; charset=utf-8";
  const headers = { "content-type": type, ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }) };
  response.writeHead(status, headers);
  response.end(plain ?? JSON.stringify(body, (key, value) => (typeof value === "bigint" ? String(value) : value)));
}
