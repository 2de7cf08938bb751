pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

Page {
    id: root

    required property ReservationViewModel viewModel

    heading: viewModel.heading
    pictureHeight: Theme.panelHeight * 0.24

    picture: Picture {
        anchors.horizontalCenter: parent.horizontalCenter
        fill: "M40 116 H160 V142 H40 Z M52 116 V104 A10 10 0 0 1 62 94 H82 A10 10 0 0 1 92 104 V116 Z M108 116 V104 A10 10 0 0 1 118 94 H138 A10 10 0 0 1 148 104 V116 Z"
        height: parent ? parent.height : 0
        solid: "M134 36 L150 36 L156 56 L128 56 Z"
        strokes: "M40 156 V84 A8 8 0 0 1 48 76 H152 A8 8 0 0 1 160 84 V156 M40 142 H160 M40 116 H160 M52 116 V104 A10 10 0 0 1 62 94 H82 A10 10 0 0 1 92 104 V116 M108 116 V104 A10 10 0 0 1 118 94 H138 A10 10 0 0 1 148 104 V116"
        thin: "M142 56 V76 M58 30 A22 22 0 1 0 80 52 A18 18 0 0 1 58 30 M26 156 H174"
        width: height
    }

    Rectangle {
        id: card

        border.color: Theme.hairline
        border.width: Theme.hair
        color: Theme.surface
        height: facts.height
        radius: Theme.radius
        width: parent.width

        Column {
            id: facts

            width: parent.width

            Repeater {
                model: root.viewModel.facts

                Item {
                    id: fact

                    required property int index
                    required property string code
                    required property string label
                    required property string value

                    height: Math.max(name.height, what.height) + Theme.gap * (Theme.elder ? 2.2 : 3.4)
                    width: facts.width

                    Rectangle {
                        anchors.horizontalCenter: parent.horizontalCenter
                        color: Theme.hairline
                        height: Theme.hair
                        visible: fact.index > 0
                        width: parent.width - Theme.gap * 4
                    }

                    Words {
                        id: name

                        anchors.left: parent.left
                        anchors.leftMargin: Theme.gap * 2
                        anchors.verticalCenter: parent.verticalCenter
                        color: Theme.muted
                        text: fact.label
                        width: parent.width * 0.28
                    }

                    Words {
                        id: what

                        anchors.left: name.right
                        anchors.right: parent.right
                        anchors.rightMargin: Theme.gap * 2
                        anchors.verticalCenter: parent.verticalCenter
                        font.pixelSize: Theme.lead
                        horizontalAlignment: Text.AlignRight
                        silent: fact.code === "guest"
                        strong: true
                        text: fact.value
                    }
                }
            }
        }
    }

    Column {
        anchors.bottom: parent.bottom
        spacing: Theme.gap * 1.5
        width: parent.width

        BigButton {
            label: root.viewModel.confirmWords
            large: true
            main: true
            objectName: "confirmButton"
            width: parent.width

            onTapped: root.viewModel.confirm()
        }

        BigButton {
            label: root.viewModel.notMineWords
            objectName: "notMineButton"
            width: parent.width

            onTapped: root.viewModel.notMine()
        }
    }
}
