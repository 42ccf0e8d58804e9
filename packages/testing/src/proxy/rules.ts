/** What happens to requests of a kind, and to the answers that they get. */
export interface Rules {
  /** Requests of this kind are kept back, and all that follows on their connections; so many times. */
  hold: { readonly kind: number; left: number } | undefined;
  /** Requests of this kind pass; what the server answers to them does not. */
  drop: { readonly kind: number; readonly then: 'cut' | 'silence'; left: number } | undefined;
}

/** How often each fault has provably happened. */
export interface Counts {
  /** Connections that were open when they were cut. */
  reset: number;
  /** Connections that a stall found open or that were opened into it. */
  stalled: number;
  /** Requests that were kept back. */
  held: number;
  /** Requests that reached the server and answers that its client never saw. */
  dropped: number;
}
