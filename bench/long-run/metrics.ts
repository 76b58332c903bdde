/** The figures of the server's last life that tell what expiry, compaction and the scrubber did, by metric. */
export function metricsOf(text: string): Record<string, number> {
  const wanted = /^(stillage_(?:sweep|eviction|compaction|scrub|store)_[^ ]+) (\S+)$/;
  const found = text.split("\n").flatMap((line) => {
    const [, name, value] = wanted.exec(line) ?? [];
    return name === undefined ? [] : [[name, Number(value)] as const];
  });
  return Object.fromEntries(found);
}
