import Graph
import JSON
import Operations
import Testing

/// The canonical form of policies: what makes two readings equal, and what must never be kept.
struct PolicyDocumentTests {
    private static func document(_ json: JSON, _ kind: PolicyKind = .deviceConfiguration) -> PolicyDocument {
        PolicyDocument(json.object!, of: .of(kind))
    }

    private static func text(_ json: JSON, _ kind: PolicyKind = .deviceConfiguration) -> String {
        String(decoding: document(json, kind).content, as: UTF8.self)
    }

    @Test func whatMovesByItselfIsLeftOut() {
        let policy: JSON = [
            "@odata.type": "#microsoft.graph.iosGeneralDeviceConfiguration", "id": "1", "version": 3,
            "createdDateTime": "x", "lastModifiedDateTime": "y", "displayName": "A",
            "assignments@odata.context": "https://x", "@odata.context": "https://x", "isAssigned": true,
            "supportsScopeTags": true, "description": nil, "roleScopeTagIds": ["0", "1"],
            "nested": ["id": "stays", "version": 2, "@odata.type": "t", "a@odata.navigationLink": "x"],
        ]
        #expect(
            Self.text(policy)
                == ##"{"@odata.type":"#microsoft.graph.iosGeneralDeviceConfiguration","description":null,"##
                + ##""displayName":"A","nested":{"@odata.type":"t","id":"stays","version":2},"##
                + ##""roleScopeTagIds":["0","1"]}"##)
    }

    @Test func eachKindLeavesOutItsOwn() {
        #expect(Self.text(["name": "A", "settingCount": 3], .settingsCatalogPolicy) == #"{"name":"A"}"#)
        #expect(Self.text(["settingCount": 3], .deviceConfiguration) == #"{"settingCount":3}"#)
        #expect(
            Self.text(
                ["templateReference": ["templateId": "t_1", "templateDisplayName": "T"]],
                .settingsCatalogPolicy)
                == #"{"templateReference":{"templateId":"t_1"}}"#)
        #expect(Self.text(["size": 3, "largeIcon": nil], .mobileApp) == #"{"largeIcon":null}"#)
    }

    @Test func sortedPartsAndMembersMakeEqualReadingsEqual() {
        let one: JSON = [
            "displayName": "A",
            "assignments": [
                ["id": "p_1", "source": "direct", "sourceId": "p", "target": ["groupId": "1"]],
                ["id": "p_2", "source": "policySets", "sourceId": "s", "target": ["groupId": "2"]],
            ],
            "scheduledActionsForRule": [
                [
                    "id": "a", "ruleName": nil,
                    "scheduledActionConfigurations": [
                        ["id": "b", "actionType": "block"], ["id": "c", "actionType": "notification"],
                    ],
                ]
            ],
        ]
        let other: JSON = [
            "scheduledActionsForRule": [
                [
                    "scheduledActionConfigurations": [
                        ["actionType": "notification", "id": "d"], ["actionType": "block", "id": "e"],
                    ], "ruleName": nil, "id": "f",
                ]
            ],
            "assignments": [
                ["source": "policySets", "target": ["groupId": "2"], "sourceId": "s", "id": "q_2"],
                ["target": ["groupId": "1"], "sourceId": "q", "source": "direct", "id": "q_1"],
            ],
            "displayName": "A",
        ]
        #expect(Self.document(one, .compliancePolicy) == Self.document(other, .compliancePolicy))
        #expect(
            Self.text(one, .compliancePolicy).contains(
                #""assignments":[{"source":"direct","target":{"groupId":"1"}},{"source":"policySets","sourceId":"s","#
            ))
        // The order of what is no set counts.
        #expect(
            Self.document(["omaSettings": [["a": 1], ["a": 2]]])
                != Self.document(["omaSettings": [["a": 2], ["a": 1]]]))
    }

    @Test func secretsAreMaskedAndCounted() {
        let policy: JSON = [
            "omaSettings": [
                [
                    "@odata.type": "#microsoft.graph.omaSettingString", "isEncrypted": true, "omaUri": "./x",
                    "secretReferenceValueId": "ref-1", "value": "****",
                ],
                ["isEncrypted": false, "secretReferenceValueId": nil, "value": 7],
                ["isEncrypted": true, "secretReferenceValueId": nil, "value": "plain-1"],
            ],
            "preSharedKey": "plain-2", "password": nil, "passwordRequired": true, "sharedSecret": "",
        ]
        let document = Self.document(policy)
        let text = String(decoding: document.content, as: UTF8.self)
        #expect(document.secrets == 3)
        for secret in ["ref-1", "plain-1", "plain-2"] { #expect(!text.contains(secret)) }
        #expect(text.contains(#""preSharedKey":"****""#))
        #expect(text.contains(#""passwordRequired":true"#))
        #expect(text.contains(#""password":null"#))
        #expect(text.contains(#""value":7"#))
    }

    @Test(arguments: ["encryptedValueToken", "notEncrypted", "invalid", "unknownFutureValue"])
    func aSecretSettingIsMaskedWhateverItsState(state: String) {
        let setting: (String) -> JSON = { token in
            [
                "settings": [
                    [
                        "id": "1",
                        "settingInstance": ["simpleSettingValue": ["value": "A", "@odata.type": "x"]],
                    ],
                    [
                        "id": "0",
                        "settingInstance": [
                            "simpleSettingValue": [
                                "@odata.type":
                                    "#microsoft.graph.deviceManagementConfigurationSecretSettingValue",
                                "value": .string(token), "valueState": .string(state),
                            ]
                        ],
                    ],
                ]
            ]
        }
        let one = Self.document(setting("token-1"), .settingsCatalogPolicy)
        #expect(one.secrets == 1)
        #expect(!String(decoding: one.content, as: UTF8.self).contains("token-1"))
        // The token may be another one at each reading, and sort elsewhere.
        #expect(one == Self.document(setting("zzz"), .settingsCatalogPolicy))
    }

    @Test func aListsFingerprintIsTheSameWithAndWithoutParts() {
        let plain: JSONObject = ["id": "1", "displayName": "A", "lastModifiedDateTime": "x"]
        var rich = plain
        rich["assignments@odata.context"] = "https://x"
        rich["assignments"] = []
        #expect(PolicyDocument.listedHash(plain) == PolicyDocument.listedHash(rich))
        rich["lastModifiedDateTime"] = "y"
        #expect(PolicyDocument.listedHash(plain) != PolicyDocument.listedHash(rich))
    }
}
