/**
 * How the rest of the program writes SQL: the `sql` tag makes a parameterized statement, nested
 * fragments included, so that a value never becomes text.
 */
export { default as sql, join, raw, type Sql } from "sql-template-tag";
