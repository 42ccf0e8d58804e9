/** What came of a form; read out when it changes. */
export function FormResult({
  tone,
  text,
}: {
  tone: 'ok' | 'waiting' | 'bad';
  /** Empty: nothing yet. */
  text: string;
}) {
  return (
    <output className="result" data-tone={tone}>
      {text}
    </output>
  );
}
