import Testing
@testable import Starter
@Test func placeholder() {}
