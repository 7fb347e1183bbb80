/**
 * TLS for tests: a self-signed certificate for localhost and 127.0.0.1, valid until 2126, its key, another key, and a
 * client that trusts the certificate.
 */
import { once } from "node:events";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgocbxRI5Bxudj3IVC
PFRUV08krbXSTz6kw7r2zQpq+YyhRANCAARBhE+MBMCvRgv0zSTf1FKbwhhIn+Go
Tz4J4Z2zwucFCKKlyGUD7EyTaB1VTqO1lFIc0AILpSzkMtlvRmxPZKH1
-----END PRIVATE KEY-----
`;

export const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUTC1CDXeEgHZl3H5A4SUFs6/33ScwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE1MTMxNFoYDzIxMjYxMDI5
MTUxMzE0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARBhE+MBMCvRgv0zSTf1FKbwhhIn+GoTz4J4Z2zwucFCKKlyGUD7EyT
aB1VTqO1lFIc0AILpSzkMtlvRmxPZKH1o28wbTAdBgNVHQ4EFgQUAdiZRdbaH3jj
YZOSuXXp4NsVY/swHwYDVR0jBBgwFoAUAdiZRdbaH3jjYZOSuXXp4NsVY/swDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgB3iYdnp1c1gy8rG1kGgJGQKWt8Pqk4PInMGEZBnbqzACIQDb
ILDaYCmFECiBHDGqz1zf22X7gXZ4iLEDTtUtJQdBNA==
-----END CERTIFICATE-----
`;

/** A valid key that does not belong to the certificate. */
export const otherKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGQAEI8cd7aPcSSW+
i7uNaOTkcj+0pJQX5vuq/lhp0t6hRANCAASVmQYlxp20tKIOEr1ZXeraq9WnkwfE
yyMRRrpDObHcWTCIan0tFB6XdChfmwAMIBjoUADEetibdIw8qklol21X
-----END PRIVATE KEY-----
`;

export interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** Makes a GET request that trusts the certificate. */
export function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { ca: cert, headers, agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    })
      .on("error", reject)
      .end();
  });
}

/** Sends bytes on a TLS connection, waits until the server closes it, and resolves with everything received. */
export async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", ca: cert });
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    answer += String(chunk);
  });
  socket.write(bytes.replace(/\r?\n/g, "\r\n"));
  await once(socket, "close");
  return answer;
}
