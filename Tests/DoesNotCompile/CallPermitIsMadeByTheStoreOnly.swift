// expect: 'CallPermit' initializer is inaccessible due to 'fileprivate' protection level
import Operations
import Store

func forge(_ id: CallID, _ allowed: AllowedCall) -> CallPermit {
    CallPermit(id: id, allowed: allowed, endsBy: .now, credentialVersion: nil)
}
