/**
 * Mistakes of an author's, and a service that tells of them.
 */
import type { Namespace, Socket } from "socket.io";
import type { ErrorPlace, Service } from "../../src/index.ts";
import { withService } from "./service.ts";

export const fail = (): never => {
  throw new Error("the author's mistake");
};
export const reject = async (): Promise<never> => fail();

/** Both ways in which a function fails. */
export const ways: Record<string, () => unknown> = { throws: fail, rejects: reject };

/** Registers something on each socket. */
export const onSocket = (register: (socket: Socket, io: Namespace) => unknown) => (service: Service) =>
  service.io.on("connection", (socket) => {
    register(socket, service.io.sockets);
  });

/** Serves a service with the setup, and calls `run` with the errors that service.onError() hears of. */
export async function withErrors(
  setup: (service: Service) => unknown,
  run: (served: {
    url: string;
    ws: string;
    service: Service;
    errors: [unknown, ErrorPlace][];
  }) => Promise<void>,
): Promise<void> {
  const errors: [unknown, ErrorPlace][] = [];
  await withService(
    {},
    (service) => {
      service.onError((error, place) => errors.push([error, place]));
      setup(service);
      service.io.on("connection", (socket) => socket.on("echo", (value, ack) => ack(value)));
    },
    (served) => run({ ...served, errors }),
  );
}
