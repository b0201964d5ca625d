import ServiceKit

await runService("starter", port: 8080) { context in
    try StarterProcess.compose(StarterSettings(context.configuration), context)
}
