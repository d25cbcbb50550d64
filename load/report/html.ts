import type { LoadResult } from '../../specs/wire.ts';

export function renderHtml({ tool }: LoadResult): string {
  return tool;
}
