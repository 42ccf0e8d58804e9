import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A frame that a server has sent. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/**
 * A websocket client that does nothing by itself: it answers neither pings nor close frames, and never
 * closes its connection.
 */
export interface RawWebsocket {
  readonly socket: Socket;
  /** Frames that the server has sent so far, oldest first. */
  readonly frames: readonly ServerFrame[];
  /**
   * Whether the connection is closed in both directions. After the server has closed it, this is so only
   * once the client has sent more data.
   */
  readonly isClosed: () => boolean;
  /** Sends one final frame; text by default. */
  readonly send: (payload: string | Buffer, opcode?: number) => void;
  /** The messages that the server has sent so far, oldest first. */
  readonly messages: () => Record<string, unknown>[];
  /** The code of the server's close frame. */
  readonly closeCode: () => number | undefined;
}

/** Returns a masked frame (RFC 6455, 5.2). The mask is zero, so the payload is readable. */
export function clientFrame(payload: string | Buffer, opcode = 1, isFinal = true): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(body.length < 126 ? 2 : 4);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = 0x80 | Math.min(body.length, 126);
  if (head.length === 4) head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, Buffer.alloc(4), body]);
}

/** Opens a websocket of graphql-transport-ws at `/graphql` of a server. */
export async function openRawWebsocket(url: string): Promise<RawWebsocket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const frames: ServerFrame[] = [];
  let isClosed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
  });
  socket.write(
    [
      'GET /graphql HTTP/1.1',
      `host: ${hostname}:${port}`,
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${Buffer.alloc(16).toString('base64')}`,
      'sec-websocket-protocol: graphql-transport-ws',
      '\r\n',
    ].join('\r\n'),
  );
  let received = Buffer.alloc(0);
  while (!received.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    received = Buffer.concat([received, chunk]);
  }
  received = received.subarray(received.indexOf('\r\n\r\n') + 4);
  const read = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    for (let frame = readFrame(received); frame; frame = readFrame(received)) {
      frames.push(frame.frame);
      received = received.subarray(frame.size);
    }
  };
  read(Buffer.alloc(0));
  socket.on('data', read);
  return {
    socket,
    frames,
    isClosed: () => isClosed,
    send: (payload, opcode) => void socket.write(clientFrame(payload, opcode)),
    messages: () =>
      frames.filter(({ opcode }) => opcode === 1).map(({ payload }) => JSON.parse(String(payload))),
    closeCode: () => frames.find(({ opcode }) => opcode === 8)?.payload.readUInt16BE(0),
  };
}

function readFrame(bytes: Buffer): { frame: ServerFrame; size: number } | undefined {
  if (bytes.length < 2) return undefined;
  const opcode = bytes.readUInt8(0) & 0x0f;
  const short = bytes.readUInt8(1);
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < head) return undefined;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < head + length) return undefined;
  return {
    frame: { opcode, payload: bytes.subarray(head, head + length) },
    size: head + length,
  };
}
