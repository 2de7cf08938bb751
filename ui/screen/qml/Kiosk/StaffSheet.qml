pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

// The clerk's sheet: it covers the guest's screen, and locks by itself.
Rectangle {
    id: root

    required property SheetViewModel viewModel

    color: Theme.surface
    visible: viewModel.stage !== "closed"

    TapHandler {
        gesturePolicy: TapHandler.WithinBounds
    }

    Words {
        id: title

        anchors.left: parent.left
        anchors.margins: Theme.margin
        anchors.top: parent.top
        color: Theme.accent
        font.pixelSize: Theme.heading
        strong: true
        text: root.viewModel.title
    }

    Words {
        anchors.baseline: title.baseline
        anchors.right: parent.right
        anchors.rightMargin: Theme.margin
        color: Theme.muted
        text: root.viewModel.locksIn
    }

    Rectangle {
        id: line

        anchors.left: parent.left
        anchors.leftMargin: Theme.margin
        anchors.right: parent.right
        anchors.rightMargin: Theme.margin
        anchors.top: title.bottom
        anchors.topMargin: Theme.gap
        color: Theme.hairline
        height: Theme.hair
    }

    Item {
        anchors.bottom: close.top
        anchors.bottomMargin: Theme.gap * 2
        anchors.left: line.left
        anchors.right: line.right
        anchors.top: line.bottom
        visible: root.viewModel.stage === "pin"

        Column {
            anchors.horizontalCenter: parent.horizontalCenter
            spacing: Theme.gap
            y: (asking.y - height) / 2

            Picture {
                anchors.horizontalCenter: parent.horizontalCenter
                fill: "M62 88 H138 A8 8 0 0 1 146 96 V150 A8 8 0 0 1 138 158 H62 A8 8 0 0 1 54 150 V96 A8 8 0 0 1 62 88 Z"
                height: width
                solid: "M97 138 V127.4 A8 8 0 1 1 103 127.4 V138 Z"
                strokes: "M62 88 H138 A8 8 0 0 1 146 96 V150 A8 8 0 0 1 138 158 H62 A8 8 0 0 1 54 150 V96 A8 8 0 0 1 62 88 Z M74 88 V66 A26 26 0 0 1 126 66 V88"
                visible: width > Theme.mm * 20
                width: Math.min(Theme.panelHeight * 0.2, asking.y - Theme.gap * 10 - Theme.title)
            }

            Words {
                anchors.horizontalCenter: parent.horizontalCenter
                color: Theme.muted
                text: root.viewModel.numberWords
                visible: text !== ""
            }

            Words {
                anchors.horizontalCenter: parent.horizontalCenter
                color: Theme.accent
                font.letterSpacing: Theme.mm * 2
                font.pixelSize: Theme.title
                objectName: "pinNumber"
                strong: true
                text: root.viewModel.number
                visible: text !== ""
            }
        }

        Column {
            id: asking

            anchors.bottom: parent.bottom
            spacing: Theme.gap * 2
            width: parent.width

            Words {
                font.pixelSize: Theme.heading
                horizontalAlignment: Text.AlignHCenter
                strong: true
                text: root.viewModel.lead
                width: parent.width
            }

            Row {
                anchors.horizontalCenter: parent.horizontalCenter
                height: Theme.heading
                spacing: Theme.gap

                Repeater {
                    model: Math.max(6, root.viewModel.digits)

                    Rectangle {
                        required property int index

                        anchors.verticalCenter: parent ? parent.verticalCenter : undefined
                        border.color: Theme.accent
                        border.width: Theme.hair
                        color: index < root.viewModel.digits ? Theme.accent : "transparent"
                        height: Theme.mm * 5
                        radius: width / 2
                        width: height
                    }
                }
            }

            Notice {
                objectName: "pinMessage"
                warning: true
                width: parent.width
                words: root.viewModel.message
            }

            Keypad {
                complete: root.viewModel.digits > 0
                eraseWords: root.viewModel.eraseWords
                locked: root.viewModel.locked
                ok: root.viewModel.ok
                okName: "pinOk"
                prefix: "pinKey_"
                width: parent.width

                onEntered: root.viewModel.enter()
                onErased: root.viewModel.erase()
                onPressed: digit => root.viewModel.press(digit)
            }
        }
    }

    Column {
        id: referral

        anchors.left: line.left
        anchors.right: line.right
        anchors.top: line.bottom
        anchors.topMargin: Theme.gap * 3
        spacing: Theme.gap * 2
        visible: root.viewModel.stage === "unlocked"

        Words {
            color: Theme.muted
            text: root.viewModel.operator
            width: parent.width
        }

        StaffReason {
            viewModel: root.viewModel
            width: parent.width
        }

        Words {
            font.pixelSize: Theme.elder ? Theme.body : Theme.lead
            lineHeight: 1.2
            objectName: "staffTodo"
            text: root.viewModel.todo
            width: parent.width
        }

        StaffDuty {
            viewModel: root.viewModel
            width: parent.width
        }
    }

    // What a clerk decides lies where a hand reaches, above the way out.
    Column {
        anchors.bottom: close.top
        anchors.bottomMargin: Theme.gap * 4
        anchors.left: line.left
        anchors.right: line.right
        spacing: Theme.gap * 1.5
        visible: root.viewModel.stage === "unlocked"

        Repeater {
            model: root.viewModel.resolutions

            BigButton {
                required property string code
                required property string value
                required label

                hint: value
                main: true
                objectName: "resolution_" + code
                width: parent ? parent.width : 0

                onTapped: root.viewModel.approve(code)
            }
        }

        BigButton {
            hint: root.viewModel.retryMeans
            label: root.viewModel.retryWords
            objectName: "retryButton"
            visible: label !== ""
            width: parent.width

            onTapped: root.viewModel.retry()
        }

        BigButton {
            hint: root.viewModel.endMeans
            label: root.viewModel.endWords
            objectName: "endVisitButton"
            tone: Theme.red
            visible: label !== ""
            width: parent.width

            onTapped: root.viewModel.endVisit()
        }
    }

    BigButton {
        id: close

        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.margin
        anchors.left: line.left
        anchors.right: line.right
        label: root.viewModel.closeWords
        objectName: "closeSheetButton"
        tone: Theme.ink

        onTapped: root.viewModel.close()
    }
}
