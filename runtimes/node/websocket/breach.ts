/**
 * What a client can do wrong, told as ws tells it: the message, ws's error code, and the code that closes the connection.
 */

/** A client broke the protocol, or sent more than it may. */
export interface Breach extends Error {
  /** ws's code of the error. */
  readonly code: string;
  /** What the client is told (RFC 6455, 7.4.1). */
  readonly closeCode: number;
}

const PROTOCOL_ERROR = 1002;
const INVALID_PAYLOAD = 1007;
const POLICY_VIOLATION = 1008;
const TOO_BIG = 1009;

const tell = (code: string, closeCode: number, message: string): Breach =>
  Object.assign(new RangeError(message), { code, closeCode });

const invalid = (code: string, message: string) =>
  tell(code, PROTOCOL_ERROR, `Invalid WebSocket frame: ${message}`);

export const breach = {
  reserved1: () => invalid("WS_ERR_UNEXPECTED_RSV_1", "RSV1 must be clear"),
  reserved23: () => invalid("WS_ERR_UNEXPECTED_RSV_2_3", "RSV2 and RSV3 must be clear"),
  opcode: (opcode: number) => invalid("WS_ERR_INVALID_OPCODE", `invalid opcode ${opcode}`),
  fin: () => invalid("WS_ERR_EXPECTED_FIN", "FIN must be set"),
  mask: () => invalid("WS_ERR_EXPECTED_MASK", "MASK must be set"),
  controlLength: (length: number) =>
    invalid("WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH", `invalid payload length ${length}`),
  closeCode: (code: number) => invalid("WS_ERR_INVALID_CLOSE_CODE", `invalid status code ${code}`),
  utf8: (): Breach =>
    Object.assign(new Error("Invalid WebSocket frame: invalid UTF-8 sequence"), {
      code: "WS_ERR_INVALID_UTF8",
      closeCode: INVALID_PAYLOAD,
    }),
  fragments: () => tell("WS_ERR_TOO_MANY_BUFFERED_PARTS", POLICY_VIOLATION, "Too many message fragments"),
  messageLength: () => tell("WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", TOO_BIG, "Max payload size exceeded"),
  frameLength: () =>
    tell(
      "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
      TOO_BIG,
      "Unsupported WebSocket frame: payload length > 2^53 - 1",
    ),
};
