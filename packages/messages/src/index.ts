export { characters, type Decoded, decodeWith, isStorableText, time, uuid } from './decode.ts';
export { HEADER } from './headers.ts';
export { deadLetterTopic, eventType } from './topics.ts';
