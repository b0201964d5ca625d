import Testing

/// The suites of the module. One after the other: they count sessions and memory of the whole process.
@Suite(.serialized)
enum PostgresTests {}
