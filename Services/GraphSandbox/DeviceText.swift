/// Which properties an answer shows, with their JSON keys made ready once for the whole page.
struct DeviceSelection: Sendable {
    private let columns: [(property: DeviceProperty, key: [UInt8])]
    /// Whether properties that Intune fills only on request are filled.
    private let fillsAll: Bool

    /// - Parameters:
    ///   - selected: the properties of `$select`; nil when it is absent.
    ///   - isSingle: whether one device is read by its id.
    init(_ selected: [DeviceProperty]?, version: GraphVersion, isSingle: Bool) {
        columns = (selected ?? DeviceProperty.all(in: version)).map { ($0, $0.jsonKey) }
        fillsAll = isSingle && selected != nil
    }

    /// Appends the members of the device's object, without the braces.
    func write(_ device: Device, to text: inout JSONText) {
        for (property, key) in columns {
            text.raw(key)
            if property.isFilledOnRequestOnly, !fillsAll {
                text.raw(property == .physicalMemoryInBytes ? "0" : "null")
            } else {
                text.write(device.value(of: property))
            }
            text.byte(",")
        }
        text.dropTrailingComma()
    }
}

extension JSONText {
    mutating func write(_ value: DeviceValue) {
        switch value {
        case .null: raw("null")
        case .word(let word): write(plain: word)
        case .text(let text): write(text)
        case .guid(let guid): write(guid)
        case .date(let date): write(date)
        case .bool(let flag): write(flag)
        case .integer(let number): write(number)
        case .json(let json): raw(json)
        }
    }
}
