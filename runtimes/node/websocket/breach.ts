/**
 * The errors for a client that breaks the protocol or a limit. Messages and codes are those of ws: its users test for
 * them.
 */

/** A client has broken the protocol, or a limit. */
export interface Breach extends Error {
  /** The error code that ws documents for this breach. */
  readonly code: string;
  /** The code of the close frame that is sent to the client (RFC 6455, 7.4.1). */
  readonly closeCode: number;
}

const PROTOCOL_ERROR = 1002;
const INVALID_PAYLOAD = 1007;
const POLICY_VIOLATION = 1008;
const TOO_BIG = 1009;

const createBreach = (code: string, closeCode: number, message: string): Breach =>
  Object.assign(new RangeError(message), { code, closeCode });

const createFrameBreach = (code: string, message: string) =>
  createBreach(code, PROTOCOL_ERROR, `Invalid WebSocket frame: ${message}`);

/** Each creates the error for one kind of breach. */
export const breach = {
  reserved1: () => createFrameBreach("WS_ERR_UNEXPECTED_RSV_1", "RSV1 must be clear"),
  reserved23: () => createFrameBreach("WS_ERR_UNEXPECTED_RSV_2_3", "RSV2 and RSV3 must be clear"),
  opcode: (opcode: number) => createFrameBreach("WS_ERR_INVALID_OPCODE", `invalid opcode ${opcode}`),
  fin: () => createFrameBreach("WS_ERR_EXPECTED_FIN", "FIN must be set"),
  mask: () => createFrameBreach("WS_ERR_EXPECTED_MASK", "MASK must be set"),
  controlLength: (length: number) =>
    createFrameBreach("WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH", `invalid payload length ${length}`),
  closeCode: (code: number) => createFrameBreach("WS_ERR_INVALID_CLOSE_CODE", `invalid status code ${code}`),
  utf8: (): Breach =>
    Object.assign(new Error("Invalid WebSocket frame: invalid UTF-8 sequence"), {
      code: "WS_ERR_INVALID_UTF8",
      closeCode: INVALID_PAYLOAD,
    }),
  fragments: () =>
    createBreach("WS_ERR_TOO_MANY_BUFFERED_PARTS", POLICY_VIOLATION, "Too many message fragments"),
  messageLength: () =>
    createBreach("WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", TOO_BIG, "Max payload size exceeded"),
  frameLength: () =>
    createBreach(
      "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
      TOO_BIG,
      "Unsupported WebSocket frame: payload length > 2^53 - 1",
    ),
};
