/** A parsed command line. */
export type Command =
  | { readonly verb: 'list'; readonly topics: readonly string[] }
  | { readonly verb: 'show'; readonly topic: string; readonly offset: string }
  | { readonly verb: 'replay' | 'drop'; readonly topic: string; readonly offset: string | 'all' };

/**
 * Returns the usage text of the command.
 * @param topics the consumed topics
 */
export function usage(topics: readonly string[]): string {
  return `Usage: npm run dead-letters -- <command>

  list [topic]                    lists the dead letters that are not handled yet
  show <topic> <offset>           shows one with its headers and its value
  replay <topic> <offset> | all   sends it to its topic again
  drop <topic> <offset> | all     marks it as handled without sending it

<topic> is the topic of the original records, such as ${topics[0]}; <offset> is the first column of
list. KAFKA_BROKERS (default: 127.0.0.1:9092) and KAFKA_TOPIC_PREFIX select the broker and the topics.
`;
}

/**
 * Parses a command line.
 * @param words the arguments after the program's name
 * @param topics the topics of `list` without an argument
 * @returns the command; undefined if the words are not a command
 */
export function parseCommand(
  words: readonly string[],
  topics: readonly string[],
): Command | undefined {
  const [verb, given, offset, ...more] = words;
  if (more.length > 0) return undefined;
  const topic = given?.replace(/\.dlt$/, '');
  if (verb === 'list' && offset === undefined) {
    return { verb, topics: topic === undefined ? topics : [topic] };
  }
  if (!topic || offset === undefined) return undefined;
  const isOffset = /^\d{1,18}$/.test(offset);
  if (verb === 'show' && isOffset) return { verb, topic, offset };
  if ((verb === 'replay' || verb === 'drop') && (isOffset || offset === 'all')) {
    return { verb, topic, offset };
  }
  return undefined;
}
