// expect: 'AllowedCall' initializer is inaccessible due to 'fileprivate' protection level
import Operations

func forge(_ permit: ExecutionPermit) -> AllowedCall {
    AllowedCall(execution: permit)
}
