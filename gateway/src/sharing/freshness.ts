/**
 * How far this gateway's mutations have been answered. Whoever was answered reads what they wrote:
 * nothing that was begun before may answer them.
 */
export interface Freshness {
  /** Grows with each mutation that is answered; what is begun at the same moment is as fresh. */
  readonly moment: () => number;
  /** To be called just before a mutation's answer is sent, whatever it says. */
  readonly mutationAnswered: () => void;
}

export function createFreshness(): Freshness {
  let answered = 0;
  return {
    moment: () => answered,
    mutationAnswered: () => {
      answered += 1;
    },
  };
}
