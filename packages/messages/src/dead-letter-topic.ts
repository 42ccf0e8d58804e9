/** Where records go that cannot be applied. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dlt`;
}
