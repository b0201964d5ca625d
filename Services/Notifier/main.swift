import ServiceKit

await runService("notifier", port: 8082) { context in
    try NotifierProcess.compose(context)
}
