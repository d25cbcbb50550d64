import type { RequirementTable } from '../requirement.ts';

const part = { level: 'MUST', profile: 'vision', source: 'formats/vision' } as const;
const beyond = { ...part, need: 'more-requests' } as const;
const mayBeBlind =
  'nothing says that every model sees, so a model that does not may refuse with 400; no other refusal is documented for it';
const malformed = 'the document gives the form of a part, and calls a malformed request invalid_request (400)';

export const visionRequirements = {
  'vision.text-parts': {
    ...part,
    statement: 'a message whose content is a list of text parts is accepted',
    reading: 'content is shown as a list of parts, text being one kind of them; without an image no model needs to see',
  },
  'vision.image-url': {
    ...part,
    statement: 'an image by an https URL, with the detail low, is accepted or refused with 400',
    reading: `${mayBeBlind}; an address that cannot be fetched is a bad request too`,
  },
  'vision.data-url': {
    ...part,
    level: 'SHOULD',
    statement: 'an image in a data URL is accepted or refused with 400',
    reading: `only an https URL is shown; OpenAI clients send images of their own in data URLs; ${mayBeBlind}`,
  },
  'vision.declared': {
    ...beyond,
    level: 'SHOULD',
    statement: 'a model whose capabilities say that it has vision answers to an image in a data URL',
    reading: 'capabilities are documented, vision is not among them; a target that adds it says what it can do',
  },
  'vision.detail': {
    ...beyond,
    level: 'SHOULD',
    statement: 'an image with the detail high and one with the detail auto are accepted where one without detail is',
    reading: 'only low is shown; OpenAI clients send the three, and auto is what absence means to them',
  },
  'vision.detail.unknown': {
    ...beyond,
    level: 'SHOULD',
    statement: 'an image with a detail that nobody knows is accepted or refused with 400',
    reading: 'the values are not listed, so to ignore an unknown one is as good as to refuse it',
  },
  'vision.data-url.broken': {
    ...beyond,
    level: 'SHOULD',
    statement: 'a data URL whose data is no image is accepted or refused with 400',
    reading: `what a server makes of the data is its own business, but ${malformed}`,
  },
  'vision.data-url.oversized': {
    ...beyond,
    level: 'SHOULD',
    statement: 'an image of 2 MiB in a data URL is accepted, or refused with a status from 400 to 499',
    reading: 'no size is stated; more than a server takes is the error of the client (400, or 413 by HTTP)',
  },
  'vision.part.malformed': {
    ...part,
    statement: 'a text part without its text is refused with 400',
    reading: malformed,
  },
  'vision.part.without-url': {
    ...beyond,
    statement: 'an image part without its URL is refused with 400',
    reading: malformed,
  },
  'vision.part.unknown-type': {
    ...beyond,
    level: 'SHOULD',
    statement: 'a part of a type that the API does not know is refused with 400',
    reading: 'two types are shown, and no sentence says that there are no others',
  },
} as const satisfies RequirementTable;
