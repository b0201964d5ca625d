// expect: 'ExecutionPermit' initializer is inaccessible due to 'fileprivate' protection level
import Operations

func forge(_ execution: QueuedExecution) -> ExecutionPermit {
    ExecutionPermit(
        execution: execution, definition: OperationCatalogue.definition(.connectionCheck), attempt: 1)
}
