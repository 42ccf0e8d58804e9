/** One stage of a Dockerfile, in which variables have been replaced by their values. */
export interface Stage {
  readonly name: string;
  /** Name of another stage or of an image. */
  readonly from: string;
  readonly steps: readonly Step[];
}

export interface Step {
  /** Name of the instruction in upper case, for example `COPY`. */
  readonly instruction: string;
  readonly text: string;
}

/** Parses a Dockerfile. @returns the stages, in order */
export function readDockerfile(source: string, given: Readonly<Record<string, string>>): Stage[] {
  const values: Record<string, string> = { ...given };
  const stages: { name: string; from: string; steps: Step[] }[] = [];
  for (const { instruction, text: raw } of instructionsOf(source)) {
    const text = raw.replace(/\$\{(\w+)\}/g, (_whole, name: string) => values[name] ?? '');
    if (instruction === 'ARG') {
      const [name = '', value] = text.split('=');
      if (value !== undefined) values[name] ??= value;
    } else if (instruction === 'FROM') {
      const [from = '', , name = from] = text.split(/\s+/);
      stages.push({ name, from, steps: [] });
    } else stages.at(-1)?.steps.push({ instruction, text });
  }
  return stages;
}

function instructionsOf(source: string): Step[] {
  const lines = source.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const joined = lines.join('\n').replace(/\\\n\s*/g, ' ');
  return joined.split('\n').map((line) => {
    const [instruction = '', ...rest] = line.trim().split(/\s+/);
    return { instruction: instruction.toUpperCase(), text: rest.join(' ') };
  });
}

/** Parses a command in exec form, for example `["node", "dist/main.js"]`. */
export function execForm(text: string): string[] {
  const parts: unknown = JSON.parse(text);
  if (!Array.isArray(parts) || !parts.every((word) => typeof word === 'string')) {
    throw new Error(`${text} is not in exec form`);
  }
  return parts;
}
