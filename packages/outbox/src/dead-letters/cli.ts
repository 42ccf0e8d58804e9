import { ORDER_CREATED, ORDER_DECIDED } from '@gudang/events';

/** What was asked for on the command line. */
export type Command =
  | { readonly verb: 'list'; readonly topics: readonly string[] }
  | { readonly verb: 'show'; readonly topic: string; readonly offset: string }
  | { readonly verb: 'replay' | 'drop'; readonly topic: string; readonly offset: string | 'all' };

export const USAGE = `Usage: npm run dead-letters -- <command>

  list [topic]                    the dead letters that nobody has handled
  show <topic> <offset>           one of them, with its headers and its value
  replay <topic> <offset> | all   sends it to its topic again
  drop <topic> <offset> | all     leaves it for good

<topic> is where the records came from, such as ${ORDER_CREATED}; <offset> is the first column of
list. KAFKA_BROKERS (127.0.0.1:9092 unless set) and KAFKA_TOPIC_PREFIX say where to look.
`;

/** Undefined for words that make no command. */
export function readCommand(words: readonly string[]): Command | undefined {
  const [verb, given, offset, ...more] = words;
  if (more.length > 0) return undefined;
  const topic = given?.replace(/\.dlt$/, '');
  if (verb === 'list' && offset === undefined) {
    return { verb, topics: topic === undefined ? [ORDER_CREATED, ORDER_DECIDED] : [topic] };
  }
  if (!topic || offset === undefined) return undefined;
  const isOffset = /^\d{1,18}$/.test(offset);
  if (verb === 'show' && isOffset) return { verb, topic, offset };
  if ((verb === 'replay' || verb === 'drop') && (isOffset || offset === 'all')) {
    return { verb, topic, offset };
  }
  return undefined;
}
