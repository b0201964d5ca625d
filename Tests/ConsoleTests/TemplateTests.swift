import Foundation
import Testing

@testable import Console

/// The templates as files.
struct TemplateTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Services/Console/Templates").standardizedFileURL

    /// A file that is not listed would never be shown; a partial that is not there would show nothing.
    @Test func eachFileIsListedAndEachPartialIsThere() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path())
            .map { $0.replacing(".mustache", with: "") }
        let names = Templates.sources.map(\.name)
        #expect(Set(files) == Set(names) && Set(names).count == names.count)
        for (name, bytes) in Templates.sources {
            let text = String(decoding: bytes, as: UTF8.self)
            for partial in text.matches(of: #/\{\{[><]\s*([a-z-]+)\s*\}\}/#) {
                #expect(names.contains(String(partial.1)), "\(name) names \(partial.1)")
            }
            #expect(!text.contains("{{{") && !text.contains("{{&"), "\(name) shows something unescaped")
            #expect(!text.contains(" style=") && text.firstMatch(of: #/ on[a-z]+=/#) == nil, "\(name)")
        }
        _ = try Templates.library()
    }
}
