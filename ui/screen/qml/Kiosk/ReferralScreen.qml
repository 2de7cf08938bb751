import QtQuick
import Kiosk.ViewModels

Page {
    id: root

    required property ReferralViewModel viewModel

    heading: viewModel.heading
    pictureHeight: Theme.panelHeight * 0.24

    picture: Picture {
        anchors.horizontalCenter: parent ? parent.horizontalCenter : undefined
        fill: "M46 132 A54 54 0 0 1 154 132 Z"
        height: parent ? parent.height : 0
        strokes: "M46 132 A54 54 0 0 1 154 132 Z M100 78 V66 M90 64 H110 M34 150 H166"
        thin: "M66 120 C68 106 78 98 88 96 M40 74 L30 66 M160 74 L170 66 M56 54 L50 43 M144 54 L150 43"
        width: height
    }

    Column {
        spacing: Theme.gap * (Theme.elder ? 1.5 : 3)
        width: parent.width

        Rectangle {
            border.color: Theme.accent
            border.width: Theme.hair
            color: Theme.accentSoft
            height: plate.implicitHeight + Theme.gap * 3
            radius: Theme.radius
            width: parent.width

            Column {
                id: plate

                anchors.centerIn: parent
                width: parent.width - Theme.gap * 2

                Words {
                    font.pixelSize: Theme.lead
                    horizontalAlignment: Text.AlignHCenter
                    text: root.viewModel.numberWords
                    width: parent.width
                }

                Words {
                    color: Theme.accent
                    font.letterSpacing: Theme.mm * 2
                    font.pixelSize: Theme.room
                    horizontalAlignment: Text.AlignHCenter
                    objectName: "referralNumber"
                    strong: true
                    text: root.viewModel.number
                    width: parent.width
                }

                Words {
                    color: Theme.ink
                    horizontalAlignment: Text.AlignHCenter
                    text: root.viewModel.sayIt
                    width: parent.width
                }
            }
        }

        Words {
            font.pixelSize: Theme.lead
            horizontalAlignment: Text.AlignHCenter
            objectName: "referralNext"
            text: root.viewModel.next
            width: parent.width
        }

        Words {
            color: Theme.muted
            horizontalAlignment: Text.AlignHCenter
            text: root.viewModel.kept
            visible: text !== ""
            width: parent.width
        }
    }

    Column {
        anchors.bottom: parent.bottom
        spacing: Theme.gap * 1.5
        width: parent.width

        BigButton {
            label: root.viewModel.back
            objectName: "resumeButton"
            visible: label !== ""
            width: parent.width

            onTapped: root.viewModel.goBack()
        }

        Touch {
            anchors.right: parent.right
            height: Theme.mm * 20
            label: root.viewModel.staff
            objectName: "staffCorner"
            width: Math.max(Theme.mm * 30, corner.implicitWidth + Theme.gap * 2)

            onTapped: root.viewModel.openStaffSheet()

            Row {
                id: corner

                anchors.bottom: parent.bottom
                anchors.right: parent.right
                spacing: Theme.gap * 0.5

                Glyph {
                    anchors.verticalCenter: parent.verticalCenter
                    path: Glyphs.card
                    size: Theme.body * 1.2
                    tone: Theme.muted
                }

                Words {
                    color: Theme.muted
                    silent: true
                    text: root.viewModel.staff
                    wrapMode: Text.NoWrap
                }
            }
        }
    }
}
