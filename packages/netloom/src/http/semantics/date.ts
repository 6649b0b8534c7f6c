/**
 * The dates of HTTP (RFC 9110, section 5.6.7). Times are milliseconds since 1970, as {@link Clock.wallTime} gives them; the
 * calendar is worked out here, since engine layers have no platform clock to borrow one from.
 */
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const SECONDS_PER_DAY = 86_400;

/** The preferred form, as `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function formatDate(wallTime: number): string {
  const seconds = Math.floor(wallTime / 1000);
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const inDay = seconds - days * SECONDS_PER_DAY;
  const { year, month, day } = civilFromDays(days);
  // 1970-01-01 was a Thursday.
  const weekday = DAYS[(((days + 4) % 7) + 7) % 7];
  const hour = two(Math.floor(inDay / 3600));
  const minute = two(Math.floor(inDay / 60) % 60);
  const date = `${two(day)} ${MONTHS[month - 1]} ${String(year).padStart(4, '0')}`;
  return `${weekday}, ${date} ${hour}:${minute}:${two(inDay % 60)} GMT`;
}

/** Milliseconds of a date in any of the three forms a recipient has to take, to the second; undefined if it is none of them. */
export function parseDate(text: string): number | undefined {
  for (const form of FORMS) {
    const match = form.exec(text)?.groups;
    if (match !== undefined) return timeOf(match);
  }
  return undefined;
}

const TIME = '(?<hour>[0-2]\\d):(?<minute>[0-5]\\d):(?<second>[0-6]\\d)';
const FORMS: readonly RegExp[] = [
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${TIME} GMT$`),
  // rfc850-date: Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(
    `^[A-Z][a-z]+day, (?<day>\\d\\d)-(?<month>[A-Z][a-z]{2})-(?<year>\\d\\d) ${TIME} GMT$`,
  ),
  // asctime-date: Sun Nov  6 08:49:37 1994
  new RegExp(`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

function timeOf(match: { [name: string]: string }): number | undefined {
  const month = MONTHS.indexOf(match['month']!) + 1;
  const day = Number(match['day']);
  const hour = Number(match['hour']);
  let year = Number(match['year']);
  // RFC 9110, section 5.6.7: a two-digit year more than 50 years ahead stands for the past. No clock here: as of 2020.
  if (match['year']!.length === 2) year += year > 70 ? 1900 : 2000;
  if (month === 0 || day < 1 || day > 31 || hour > 23) return undefined;
  const days = daysFromCivil(year, month, day);
  return (
    (days * SECONDS_PER_DAY +
      hour * 3600 +
      Number(match['minute']) * 60 +
      Number(match['second'])) *
    1000
  );
}

/**
 * Days since 1970-01-01 of a date of the Gregorian calendar. Years are counted from March, so that the leap day
 * is the last of its year and the months before it have lengths that a line fits: (153 m + 2) / 5.
 */
function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = (month + 9) % 12;
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  return marchYear * 365 + leapDays + dayOfYear - DAYS_BEFORE_1970;
}

/** Days from 0000-03-01 to 1970-01-01. */
const DAYS_BEFORE_1970 = 719_468;
const DAYS_PER_400_YEARS = 146_097;

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + DAYS_BEFORE_1970;
  const era = Math.floor(shifted / DAYS_PER_400_YEARS);
  const ofEra = shifted - era * DAYS_PER_400_YEARS;
  // The three corrections take out the leap days before `ofEra`: one in 4 years, less one in 100, and one in 400.
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  );
  const dayOfYear =
    ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
