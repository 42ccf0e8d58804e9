import { describe, expect, it } from 'vitest';
import { parseCommand } from './cli.ts';

const TOPICS = ['order_created', 'order_decided'];
const parse = (words: string) => parseCommand(words === '' ? [] : words.split(' '), TOPICS);

describe('parseCommand', () => {
  it.each([
    ['list', { verb: 'list', topics: ['order_created', 'order_decided'] }],
    ['list order_decided', { verb: 'list', topics: ['order_decided'] }],
    ['list order_decided.dlt', { verb: 'list', topics: ['order_decided'] }],
    ['show order_created.dlt 3', { verb: 'show', topic: 'order_created', offset: '3' }],
    ['replay order_created 12', { verb: 'replay', topic: 'order_created', offset: '12' }],
    ['replay order_created all', { verb: 'replay', topic: 'order_created', offset: 'all' }],
    ['drop order_created all', { verb: 'drop', topic: 'order_created', offset: 'all' }],
  ])('parses %s', (words, command) => {
    expect(parse(words)).toEqual(command);
  });

  it.each([
    '',
    'help',
    'list a b',
    'show',
    'show order_created',
    'show order_created all',
    'replay order_created',
    'replay order_created -1',
    'drop all',
    'drop order_created 1 2',
  ])('returns undefined for %j', (words) => {
    expect(parse(words)).toBeUndefined();
  });
});
