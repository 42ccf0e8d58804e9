export { deadLetterTopic } from './dead-letter-topic.ts';
export { type Decoded, decodeWith, time, uuid } from './decode.ts';
export { eventType, HEADER } from './headers.ts';
export { characters, isStorableText } from './text.ts';
