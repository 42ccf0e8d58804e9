import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPages, repository } from './snippets.ts';

const EXTERNAL = /^[a-z]+:/;

/** Returns a page without its code blocks, where `#` and brackets have other meanings. */
function proseOf(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '');
}

function linksIn(text: string): string[] {
  return [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** Returns the anchor that GitHub creates for a heading. */
function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsIn(text: string): string[] {
  return [...proseOf(text).matchAll(/^#+ +(.+?) *$/gm)].map(([, heading = '']) =>
    anchorOf(heading),
  );
}

/** Returns the relative links of a page that lead to no existing file, folder or anchor. */
async function brokenLinks(page: string, text: string): Promise<string[]> {
  const broken: string[] = [];
  for (const link of linksIn(text)) {
    if (EXTERNAL.test(link)) continue;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(repository, page) : join(repository, dirname(page), path);
    const exists = existsSync(target);
    const isPage = exists && statSync(target).isFile() && target.endsWith('.md');
    const hasAnchor =
      anchor === undefined ||
      (isPage && anchorsIn(await readFile(target, 'utf8')).includes(anchor));
    if (!exists || !hasAnchor) broken.push(link);
  }
  return broken;
}

const pages = await findPages();

describe('link check of the documentation', () => {
  it('reports a missing file and a missing anchor', async () => {
    const text = '[a](README.md) [b](nothing.md) [c](README.md#run-it) [d](README.md#nothing)';
    expect(await brokenLinks('README.md', text)).toEqual(['nothing.md', 'README.md#nothing']);
  });

  it('ignores code blocks and external links', async () => {
    const text = '[a](https://example.com/x)\n```ts\nlist[0](nothing.md)\n```\n';
    expect(await brokenLinks('README.md', text)).toEqual([]);
  });

  it('finds a link to every decision record in the index', async () => {
    const index = await readFile(join(repository, 'docs/decisions/README.md'), 'utf8');
    const records = pages.filter((page) => /^docs\/decisions\/(?!README)/.test(page));
    const listed = linksIn(index).map((link) => `docs/decisions/${link}`);
    expect(records.filter((record) => !listed.includes(record))).toEqual([]);
  });

  it.each(pages)('finds no broken link in %s', async (page) => {
    const text = await readFile(join(repository, page), 'utf8');
    expect(await brokenLinks(page, text)).toEqual([]);
  });
});
