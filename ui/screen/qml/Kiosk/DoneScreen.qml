import QtQuick
import Kiosk.ViewModels

Page {
    id: root

    required property DoneViewModel viewModel
    readonly property string card: "M58 44 H142 A8 8 0 0 1 150 52 V148 A8 8 0 0 1 142 156 H58 A8 8 0 0 1 50 148 V52 A8 8 0 0 1 58 44 Z"

    heading: viewModel.heading
    headingSize: Theme.title
    lead: viewModel.wish

    picture: Picture {
        anchors.horizontalCenter: parent ? parent.horizontalCenter : undefined
        fill: root.viewModel.byHand ? root.card : "M62 30 H138 A8 8 0 0 1 146 38 V118 H54 V38 A8 8 0 0 1 62 30 Z M28 118 H172 V152 A6 6 0 0 1 166 158 H34 A6 6 0 0 1 28 152 Z"
        height: parent ? parent.height : 0
        strokes: root.viewModel.byHand ? root.card + " M86 92 A14 14 0 1 1 85.99 92 M100 106 H134 V116 M120 106 V114" : "M54 118 V38 A8 8 0 0 1 62 30 H138 A8 8 0 0 1 146 38 V118 M28 118 H172 V152 A6 6 0 0 1 166 158 H34 A6 6 0 0 1 28 152 Z M86 68 A14 14 0 1 1 85.99 68 M100 82 H132 V92 M120 82 V90"
        thin: root.viewModel.byHand ? "M66 60 H94" : "M66 46 H88 M44 118 V126 H156 V118"
        width: height
    }

    Column {
        anchors.top: parent.top
        anchors.topMargin: Theme.gap
        spacing: Theme.gap * 3
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
                    text: root.viewModel.room
                    width: parent.width
                }

                Words {
                    color: Theme.accent
                    font.pixelSize: Theme.room
                    fontSizeMode: Text.HorizontalFit
                    horizontalAlignment: Text.AlignHCenter
                    objectName: "roomNumber"
                    strong: true
                    silent: true
                    text: root.viewModel.roomNo
                    width: parent.width
                    wrapMode: Text.NoWrap
                }
            }
        }

        Words {
            font.pixelSize: Theme.lead
            horizontalAlignment: Text.AlignHCenter
            text: root.viewModel.key
            width: parent.width
        }
    }

    Column {
        anchors.bottom: parent.bottom
        spacing: Theme.gap * 1.5
        width: parent.width

        Words {
            color: Theme.muted
            horizontalAlignment: Text.AlignHCenter
            text: root.viewModel.wipe
            width: parent.width
        }

        BigButton {
            label: root.viewModel.finishWords
            large: true
            main: true
            objectName: "finishButton"
            width: parent.width

            onTapped: root.viewModel.finish()
        }
    }
}
