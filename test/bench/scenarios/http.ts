/**
 * HTTP beside Socket.IO: long-polling, and requests that the application answers.
 */
import { speaksSocketIo } from "../contenders.ts";
import { HttpClient, request } from "../load/http.ts";
import { latencies, pace, until } from "../load/latency.ts";
import { closeAll, listen, openSessions, PollingSession } from "../load/sessions.ts";
import { frame } from "../load/websocket.ts";
import { Workers } from "../load/workers.ts";
import { perOperation, type Scenario } from "../scenario.ts";
import type { ServerProcess } from "../server-process.ts";
import { percentiles } from "../statistics.ts";
import { broadcastOf, event, openClient, text } from "./clients.ts";

const nothing = () => Promise.resolve();

const pollingEcho: Scenario = {
  name: "polling-echo",
  rows: [{ title: "echo of 64 B by long-polling, 20 clients, a POST and a GET", unit: "µs" }],
  takes: speaksSocketIo,
  async open(server) {
    const hire = async () => {
      const session = await PollingSession.open(server);
      const posting = session.posting(event("echo", text(64)));
      const work = async () => {
        await session.send(posting);
        while (!(await session.poll()).some((packet) => packet.startsWith("42")));
      };
      return { work, close: () => session.close() };
    };
    return perOperation(server, new Workers(20, hire), nothing);
  },
};

/** Requests on connections that are kept alive, one under way on each. */
function requests(server: ServerProcess): Workers {
  const message = request(server, "GET", "/");
  return new Workers(20, () => {
    const client = new HttpClient(server);
    return Promise.resolve({ work: () => client.ask(message), close: () => client.close() });
  });
}

const get: Scenario = {
  name: "http-get",
  rows: [{ title: "GET / on 20 connections that are kept alive", unit: "µs" }],
  takes: () => true,
  open: async (server) => perOperation(server, requests(server), nothing),
};

/** Fresh, as the load generator has not files enough for the connections to all contenders. */
const getBesideIdle: Scenario = {
  name: "http-get-idle",
  rows: [{ title: "GET / beside 5,000 idle Socket.IO connections", unit: "µs" }],
  isFresh: true,
  rounds: 3,
  takes: () => true,
  async open(server) {
    const clients = await openSessions(5000, () => openClient(server));
    const trial = perOperation(server, requests(server), () => closeAll(clients));
    await trial.measure(1000);
    return trial;
  },
};

const BROADCASTS = 20;

const getUnderBroadcast: Scenario = {
  name: "http-under-broadcast",
  rows: ["p50", "p99"].map((part) => ({
    part,
    title: `latency of GET / while 1,000 clients get ${BROADCASTS} broadcasts a second, ${part}`,
    unit: "ms",
  })),
  takes: () => true,
  async open(server) {
    const clients = await openSessions(1000, () => openClient(server));
    const message = frame(broadcastOf(server.contender, text(64)));
    let pending = 0;
    for (const client of clients) listen(client, () => pending--);
    const cast = () => {
      pending += clients.length;
      clients[0]?.send(message);
    };
    return {
      async measure(duration) {
        const [times] = await Promise.all([
          latencies({ hostname: server.hostname, port: server.port, rate: 200, duration: duration * 2 }),
          pace(BROADCASTS, duration * 2.5, cast), // the thread takes a while to start
        ]);
        await until(() => pending === 0); // those who wait for their turn share the core
        return percentiles(times, [0.5, 0.99]);
      },
      close: () => closeAll(clients),
    };
  },
};

export const http = [pollingEcho, get, getBesideIdle, getUnderBroadcast];
