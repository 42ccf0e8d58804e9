/** A socket that carries the messages of graphql-transport-ws. */
export interface MessageSocket {
  readonly send: (message: string) => void;
  /** Writes whole websocket frames as they are. */
  readonly writeFrames: (frames: Buffer) => void;
  /** Whether it takes more without keeping it in memory. */
  readonly ready: () => boolean;
  /** Reads nothing more of the client, until told otherwise. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Bytes that wait for the client to read them. */
  readonly unread: () => number;
  /** Closes the socket; a reason of over 123 bytes is cut. */
  readonly close: (code: number, reason: string) => void;
}
