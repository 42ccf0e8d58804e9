import { useState } from 'react';
import { errorText } from '../../graph/graph-errors.ts';
import { type Answer, sendOperation } from '../../graph/send-operation.ts';

export interface Mutation<T> {
  readonly isBusy: boolean;
  /** Error of the last attempt; empty when it succeeded. */
  readonly problem: string;
  /** Returns the data, or undefined after setting `problem`. */
  readonly send: (variables: Readonly<Record<string, unknown>>) => Promise<T | undefined>;
}

/**
 * @param noAnswerText text to show if no answer arrives, so that it is unknown whether the mutation
 *   was executed
 */
export function useMutation<T>(mutation: string, noAnswerText: string): Mutation<T> {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  return {
    isBusy,
    problem,
    send: async (variables) => {
      setBusy(true);
      setProblem('');
      let answer: Answer<T>;
      try {
        answer = await sendOperation<T>(mutation, variables);
      } catch {
        setProblem(noAnswerText);
        return undefined;
      } finally {
        setBusy(false);
      }
      const [error] = answer.errors;
      if (error) setProblem(errorText(error));
      return error || !answer.data ? undefined : answer.data;
    },
  };
}

/** The result of a form. Screen readers read each change. */
export function FormResult({
  tone,
  text,
}: {
  tone: 'ok' | 'waiting' | 'bad';
  /** Empty: no result yet. */
  text: string;
}) {
  return (
    <output className="result" data-tone={tone}>
      {text}
    </output>
  );
}
