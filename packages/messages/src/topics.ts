/** Returns the name of a topic's dead-letter topic. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dlt`;
}

/** Returns the name of the topic of a dead-letter topic. */
export function originalTopic(deadLetterTopicName: string): string {
  return deadLetterTopicName.replace(/\.dlt$/, '');
}

/** Returns the CloudEvents type of a topic's records: `order_created` is `gudang.order.created`. */
export function eventType(topic: string): string {
  return `gudang.${topic.replaceAll('_', '.')}`;
}
