export { type Decoded, decodeWith, time, uuid } from './decode.ts';
export { HEADER } from './headers.ts';
export { characters, isStorableText } from './text.ts';
export { deadLetterTopic, eventType } from './topics.ts';
