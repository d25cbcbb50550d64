/** Where a target may read the key of a WebSocket, in the order in which they are tried: the document names none. */
export const keyPlaces = ['header', 'start', 'query'] as const;

export type KeyPlace = (typeof keyPlaces)[number];

const placeWords: Readonly<Record<KeyPlace, string>> = {
  header: 'in the Authorization header',
  start: 'as api_key of start',
  query: 'as api_key of the query',
};

/** What of a socket holds the key; nothing where there is none. */
export function keyIn(place: KeyPlace, key: string | undefined) {
  const inPlace = (wanted: KeyPlace) => key !== undefined && place === wanted;
  return {
    headers: inPlace('header') ? { Authorization: `Bearer ${key}` } : {},
    start: inPlace('start') ? { api_key: key } : {},
    query: inPlace('query') ? `?api_key=${encodeURIComponent(key ?? '')}` : '',
  };
}

/** For the report. @param place the one that was found, `undefined` where none was looked for or none is right */
export function placeNotes(place: KeyPlace | undefined): string[] {
  return place === undefined ? [] : [`the target takes the key of a WebSocket ${placeWords[place]}`];
}
