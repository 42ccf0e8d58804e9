import { useState } from 'react';
import { type Answer, ask } from '../../graph/send-operation.ts';
import { inPlainWords } from '../../graph/graph-errors.ts';

export interface Mutation<T> {
  readonly busy: boolean;
  /** What went wrong the last time, in plain words; empty when nothing did. */
  readonly problem: string;
  /** Sends it; nothing when it failed, which `problem` then says. */
  readonly send: (variables: Readonly<Record<string, unknown>>) => Promise<T | undefined>;
}

/** @param unanswered what to say when it is not known whether it was carried out */
export function useMutation<T>(mutation: string, unanswered: string): Mutation<T> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  return {
    busy,
    problem,
    send: async (variables) => {
      setBusy(true);
      setProblem('');
      let answer: Answer<T>;
      try {
        answer = await ask<T>(mutation, variables);
      } catch {
        setProblem(unanswered);
        return undefined;
      } finally {
        setBusy(false);
      }
      const [error] = answer.errors;
      if (error) setProblem(inPlainWords(error));
      return error || !answer.data ? undefined : answer.data;
    },
  };
}
