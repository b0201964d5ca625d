import Crypto
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit

/// The styles, the script and the icon. Their addresses hold a digest of what they say, so browsers keep them for good.
struct Assets: Sendable {
    private struct Asset: Sendable {
        let type: String
        let bytes: [UInt8]
    }

    private var assets: [String: Asset] = [:]
    /// The address of each by its name.
    private(set) var paths: [String: String] = [:]

    init() {
        add("console.css", "text/css; charset=utf-8", PackageResources.console_css)
        add("console.js", "text/javascript; charset=utf-8", PackageResources.console_js)
        add("icon.svg", "image/svg+xml", PackageResources.icon_svg)
    }

    private mutating func add(_ name: String, _ type: String, _ bytes: [UInt8]) {
        let digest = Hex.text(Array(SHA256.hash(data: bytes).prefix(8)))
        let path = "/static/\(digest)/\(name)"
        assets[path] = Asset(type: type, bytes: bytes)
        paths[name] = path
    }

    /// The asset at a path; nil when there is none.
    func reply(_ path: String) -> Reply? {
        assets[path].map { asset in
            Reply(
                status: .ok,
                headers: [.contentType: asset.type, .cacheControl: "public, max-age=31536000, immutable"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
        }
    }
}
