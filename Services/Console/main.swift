import ServiceKit

await runService("console", port: 8083) { context in
    try ConsoleProcess.compose(ConsoleSettings(context.configuration), context)
}
