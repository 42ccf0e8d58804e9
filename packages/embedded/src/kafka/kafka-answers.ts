import { connect } from 'node:net';

const TIMEOUT_MS = 1000;
/** Length 10; ApiVersions (18), version 0; correlation id 1; no client id. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

/**
 * Whether a Kafka broker answers on this port of 127.0.0.1. A connection says too little: it is taken from the moment
 * the port is bound, seconds before the broker serves anybody.
 */
export function kafkaAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: TIMEOUT_MS });
    const done = (answered: boolean) => {
      resolve(answered);
      socket.destroy();
    };
    socket.once('connect', () => socket.write(API_VERSIONS));
    socket.once('data', () => done(true));
    socket.once('timeout', () => done(false));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
  });
}
