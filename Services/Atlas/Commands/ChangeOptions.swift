import ArgumentParser

/// What all commands have in common that take something away.
struct ChangeOptions: ParsableArguments {
    @Flag(help: "Change nothing: tell which runs and schedules it would stop.")
    var whatIf = false

    @OptionGroup var output: OutputOptions
}
