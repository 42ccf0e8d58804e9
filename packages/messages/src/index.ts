export { characters, type Decoded, decodeWith, isStorableText, time, uuid } from './decode.ts';
export { HEADER } from './headers.ts';
export { deadLetterTopic, eventType, originalTopic } from './topics.ts';
