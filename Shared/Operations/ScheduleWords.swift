extension FiringAnswer.Obstacle {
    /// What a due moment waits for; it completes «it waits …».
    package var words: String {
        switch self {
        case .connectionBusy: "for the run that is under way on the connection"
        case .operationUnavailable: "for somebody who executes this operation"
        case .operationUnknown: "for a version that knows this operation"
        case .parametersInvalid: "for a version that takes its parameters"
        }
    }
}
