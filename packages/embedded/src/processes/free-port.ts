import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

/**
 * Ports are chosen below 32768, because Linux and macOS use only higher ports for outgoing
 * connections. Otherwise an outgoing connection could take a free port before its server starts or
 * restarts.
 */
const FIRST = 15_000;
const LAST = 32_000;
const LOOPBACK = '127.0.0.1';

/** Finds a port of 127.0.0.1 on which no server listens. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
}

/** Whether a server could listen on this port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
  // Both checks are needed: macOS allows a server to bind a port of 127.0.0.1 that another server uses
  // on all addresses.
  return !(await answers(port)) && (await canListen(port));
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, LOOPBACK, () => server.close(() => resolve(true)));
  });
}
